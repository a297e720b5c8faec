
# From here on the same for all commands: the objects that are selected, each to a TextGrid.
python$ = @PYTHON@
model$ = @MODEL@
# Not in temporaryDirectory$, which in Praat 6.3 is the home folder on Linux, nor where others may read a recording.
work$ = defaultDirectory$ + "/work/"

if windows and praatVersion < 6317
    exitScript: "Older Praats cannot start other programs on Windows: update Praat to 6.3.17 or newer."
endif
textGrid = 0
sounds# = selected# ()
if tier
    textGrid = selected ("TextGrid")
    numberOfSounds = numberOfSelected ("Sound")
    if numberOfSounds
        sounds# = selected# ("Sound")
    else
        sounds# = selected# ("LongSound")
    endif
    @requireTier
endif
results# = zero# (size (sounds#))
for i to size (sounds#)
    @recognise: sounds# [i]
    results# [i] = recognise.result
endfor
selectObject: results#
plusObject: sounds#
if size (sounds#) = 1
    # Without windows, Praat refuses.
    nocheck View & Edit
endif

procedure requireTier
    selectObject: textGrid
    .number = Get number of tiers
    if tier > .number
        @selectAgain
        exitScript: "There is no tier ", tier, ": the TextGrid has ", .number, "."
    endif
    .isIntervalTier = Is interval tier: tier
    if not .isIntervalTier
        @selectAgain
        exitScript: "Tier ", tier, " has points: choose a tier with intervals."
    endif
endproc

procedure selectAgain
    selectObject: sounds#
    if textGrid
        plusObject: textGrid
    endif
endproc

procedure recognise: .sound
    .files$ = work$ + string$ (randomInteger (1, 1000000000)) + "_" + string$ (.sound)
    .found$ = .files$ + ".TextGrid"
    .tiers$ = .files$ + "_tiers.TextGrid"
    .problem$ = .files$ + "_problem.txt"
    .note$ = .files$ + "_note.txt"
    .saved$ = .files$ + ".wav"
    selectObject: .sound
    .shown$ = selected$ ()
    .start = Get start time
    .duration = Get total duration
    if extractWord$ (.shown$, "") = "LongSound"
        .info$ = Info
        .audio$ = extractLine$ (.info$, "File name: ")
    else
        .audio$ = .saved$
        # 24 bits hold what recorders write, and 16 bits exactly. If the disk is full, the recogniser says so.
        nocheck Save as 24-bit WAV file: .audio$
    endif
    if textGrid
        selectObject: textGrid
        .copy = Copy: "tiers"
        if .start <> 0
            Shift times by: - .start
        endif
        nocheck Save as text file: .tiers$
        removeObject: .copy
    endif
    nocheck runSubprocess: python$, "-m", "u2u_hf.integrations.praat.recogniser", "--task", task$, "--model", model$,
    ... "--audio", .audio$, "--duration_s", string$ (.duration), "--tier", string$ (tier), "--tiers", .tiers$,
    ... "--threshold", string$ (speech_threshold), "--all_channels", string$ (all_channels), "--output", .found$,
    ... "--problem", .problem$, "--note", .note$
    .message$ = ""
    if fileReadable (.problem$)
        .message$ = readFile$ (.problem$)
        .message$ = replace$ (.message$, .audio$, .shown$, 0)
    elsif not fileReadable (.found$)
        .message$ = "The recogniser did not start or was stopped. If Python was updated or moved, run recipes/praat.py "
        ... + "install again. It was looked for here: " + python$
    else
        .result = Read from file: .found$
        if .start <> 0
            Shift times by: .start
        endif
        Rename: replace_regex$ (.shown$, "^[^ ]* ", "", 1)
        appendInfoLine: @NAME@, ": ", .shown$, ": done."
        if fileReadable (.note$)
            .remark$ = readFile$ (.note$)
            appendInfoLine: replace$ (.remark$, .audio$, .shown$, 0)
        endif
    endif
    deleteFile: .saved$
    deleteFile: .tiers$
    deleteFile: .found$
    deleteFile: .problem$
    deleteFile: .note$
    if .message$ <> ""
        @selectAgain
        exitScript: .message$
    endif
endproc

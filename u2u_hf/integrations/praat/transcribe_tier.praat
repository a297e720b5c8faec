form: @TRANSCRIBE_TIER_WINDOW@
    comment: "Transcribe the intervals of this tier that have any text, such as x:"
    natural: "Tier number", "1"
    comment: "Praat waits until it is done: minutes for an hour of recording."
endform
task$ = "transcribe"
tier = tier_number
speech_threshold = 0.5
all_channels = 1

form: @TRANSCRIBE_TIER_WINDOW@
    comment: "Transcribe the intervals of this tier that have any text, such as x:"
    natural: "Tier number", "1"
endform
task$ = "transcribe"
tier = tier_number
speech_threshold = 0.5
all_channels = 1

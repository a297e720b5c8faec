form: @ALIGN_WINDOW@
    comment: "Find the times of the words that are written in this tier:"
    natural: "Tier number", "1"
    comment: "They come in lower case and without punctuation."
    comment: "Praat waits until it is done: minutes for an hour of recording."
endform
task$ = "align"
tier = tier_number
speech_threshold = 0.5
all_channels = 1

form: @TRANSCRIBE_WINDOW@
    comment: "0 to 1: lower finds more speech, and more false alarms"
    real: "Speech threshold", "0.5"
    comment: "Each channel gets a tier. Otherwise only the first one does."
    boolean: "All channels", 1
    comment: "Praat waits until it is done: minutes for an hour of recording."
endform
task$ = "transcribe"
tier = 0

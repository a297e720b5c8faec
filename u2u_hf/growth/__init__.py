"""A recogniser that grows: what people corrected since the last round, trained on, compared and transcribed again."""

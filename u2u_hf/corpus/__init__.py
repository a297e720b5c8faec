"""A folder of annotations and recordings, read, filtered and split into utterances."""

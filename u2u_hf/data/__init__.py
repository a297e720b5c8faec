"""Sound to dataset to batches."""

"""Probable faults in a linguist's own transcripts, found by recognisers that never saw them."""

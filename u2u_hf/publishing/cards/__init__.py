"""Cards: the README.md of what is pushed to the Hub, written from what was measured."""

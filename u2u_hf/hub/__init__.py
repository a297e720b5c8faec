"""The Hugging Face Hub: push, fetch, and what it refuses in plain words."""

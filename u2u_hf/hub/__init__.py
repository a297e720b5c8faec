"""The Hugging Face Hub: sources, pushes, and its errors in plain words."""

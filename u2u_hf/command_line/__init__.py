"""Recipes as commands: their flags, how one is started, and how several run one after the other."""

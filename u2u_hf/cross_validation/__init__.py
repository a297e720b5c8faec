"""How good recognisers are on speakers or recordings that they did not learn from: each is left out in turn."""

"""How good a recogniser is: error rates, their intervals, and a page of errors."""

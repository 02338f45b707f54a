"""Commands about ideas, which the contract calls suggestions: list, save, put away, take back."""

"""What the numbers mean: declared measures, the questions asked of them, and the contract with the warehouse."""

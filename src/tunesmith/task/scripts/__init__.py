"""What training scripts declare, read from their syntax trees. No script is ever imported or run."""

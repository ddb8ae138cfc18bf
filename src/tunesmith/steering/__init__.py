"""What a person's commands mean for the task of a run."""

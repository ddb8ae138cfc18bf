"""What several metrics and limits mean for a search: shared by the methods and the samplers."""

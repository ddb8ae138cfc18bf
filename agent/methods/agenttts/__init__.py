"""AgentTTS without its language model: where a pipeline of model calls spends its compute."""

"""The three insights of AgentTTS as beliefs that data confirm or refute.

Each says what it expects of a stage, as a mean and a covariance over options, believed or not. How far each
is believed follows from how well the trials so far are predicted with and without it (`posterior.py`).
"""

"""Link-and-Add: small trained models in two or three stages, and every sample that any allocation needs.

Files that are links are shared with the example `examples/pipeline_budget`, where they are.
"""

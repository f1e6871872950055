"""Commands about encoders: `encoders`, `train`, `finetune`, `compile`, `caption`, `evaluate`, `tune`."""

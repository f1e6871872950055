"""Commands about encoders: `train`, `finetune`, `compile`, `caption`, `evaluate`, `tune`."""

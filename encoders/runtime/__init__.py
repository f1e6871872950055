"""Running networks: device.py and precision.py (where and in which precision), hf_checkpoints.py (`transformers`
checkpoints), packaged_weights.py (weights that other packages carry), openvino_network.py (networks compiled for CPUs)
and malloc.py (memory settings of the C library).

Imports nothing, so that a child process can use malloc.py without torch.
"""

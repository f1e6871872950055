"""The image side: images to pooled features.

Read preprocess.py (resize and normalise), hf_processor.py (the same by a `transformers` processor), residual_net.py
(the network of lexel-tiny), regions.py (a detector's regions), efficientnet_lite.py and timm_backbone.py
(networks of `timm`), and backbones.py (the networks, built from a config).
"""

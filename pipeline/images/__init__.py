"""Images: bytes to pixels, in processes of their own, and small previews of them."""

"""The painter behind the model: everything here touches pixels, and nothing here knows limner.

Start with `orders`, which reads an order and calls the rest: `scene` paints a prompt, `edits` changes a picture.
"""

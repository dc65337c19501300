"""Handwritten digits: 1,797 grey 8x8 pictures, embedded in this package.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
1998, doi 10.24432/C50P49, CC BY 4.0: its test set, in the order of scikit-learn's `load_digits`. Each pixel
counts the black points in a 4x4 block of a 32x32 bitmap.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

_FILE = Path(__file__).with_name("digits.npz")
_EVERY = 5  # one picture in five is for the test

_Array = npt.NDArray[np.uint8]


def load_data() -> tuple[tuple[_Array, _Array], tuple[_Array, _Array]]:
    """The digits as `(x_train, y_train), (x_test, y_test)`.

    The split is always the same and stratified: of the pictures sorted by label (order kept within a label)
    the 1st, 6th, 11th ... are the test set. Both sets then stand in the source's order.

    Returns:
        Images uint8 (1437, 8, 8) and (360, 8, 8), values 0 to 16; labels uint8 (1437,) and (360,), 0 to 9.
    """
    with np.load(_FILE, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    test = np.zeros(len(labels), dtype=bool)
    test[np.argsort(labels, kind="stable")[::_EVERY]] = True
    return (images[~test], labels[~test]), (images[test], labels[test])

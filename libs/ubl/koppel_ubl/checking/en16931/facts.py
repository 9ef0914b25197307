"""What many rules of EN 16931 ask about one document, found once."""

from koppel_ubl.checking.tree import Tree


class Facts:
    """The document, and what follows from it."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.root = tree.root

"""What goes on beside a test, or beside a measurement, as long as that takes."""

import threading


class Background:
    """Goes on in a thread of its own within a `with` statement, whose end waits for it.

    A subclass has run(), which returns soon after `ending` is set. What run() raises is raised again
    at that end: nothing must be taken for well that was not going on any more."""

    def __init__(self):
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run_guarded)
        self.error = None

    def run(self):
        raise NotImplementedError

    def run_guarded(self):
        try:
            self.run()
        except BaseException as error:  # whatever it is, the one who waits must hear of it
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.ending.set()
        self.thread.join()
        if self.error:
            raise self.error

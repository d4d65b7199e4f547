"""A cpuset of its own for a process: cgroup v1 or v2 (cgroups(7), cpuset(7)), whichever this machine has, or the reason why not."""
import os
import tempfile


def _mounts():
    with open("/proc/self/mounts") as file:
        for line in file:
            _, place, kind, options = line.split()[:4]
            yield place, kind, options.split(",")


def _read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def _write(text, *path):
    with open(os.path.join(*path), "w") as file:
        file.write(text)


class CpuSet:
    """Of one CPU. OSError: not here, or not for this user."""

    def __init__(self, cpu):
        root, kind = next(((place, kind) for place, kind, options in _mounts() if kind == "cgroup" and "cpuset" in options), (None, None))
        if root is None:
            root = next((place for place, kind, _ in _mounts() if kind == "cgroup2" and "cpuset" in _read(place, "cgroup.controllers").split()), None)
            if root is None:
                raise OSError("no cgroup file system has the cpuset controller")
            _write("+cpuset", root, "cgroup.subtree_control")
        self.folder = tempfile.mkdtemp(prefix="awaitscope-test-", dir=root)
        try:
            if kind == "cgroup":
                _write(_read(root, "cpuset.mems"), self.folder, "cpuset.mems")
            _write(str(cpu), self.folder, "cpuset.cpus")
        except OSError:
            os.rmdir(self.folder)
            raise
        self.root = root

    def add(self, pid):
        """Moves every thread of the process."""
        _write(str(pid), self.folder, "cgroup.procs")

    def remove(self):
        """Once whoever was in it has ended, or moved."""
        for pid in _read(self.folder, "cgroup.procs").split():
            _write(pid, self.root, "cgroup.procs")
        os.rmdir(self.folder)

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/network_file_system.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace storage {

namespace {

/// Types as mount(8) has them. Those of FUSE are programs; others of its programs are local (ntfs-3g, mergerfs).
constexpr std::array kNetworkTypes = {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse.ceph", "fuse.cephfs",
    "fuse.curlftpfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs",
    "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs", "smb3", "smbfs"};

} // namespace

std::string networkFileSystemIn(std::string_view mounts, dev_t device)
{
    // A line: id, parent, major:minor, root, mount point, options, optional fields, "-", type, source, options.
    const std::string wanted = std::to_string(major(device)) + ":" + std::to_string(minor(device));
    std::istringstream lines{std::string(mounts)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string id, parent, number, field, type;
        fields >> id >> parent >> number;
        if (number != wanted)
            continue;
        while (fields >> field && field != "-") { }
        fields >> type;
        const bool isKnown = std::find(kNetworkTypes.begin(), kNetworkTypes.end(), type) != kNetworkTypes.end();
        return isKnown ? type : std::string();
    }
    return {};
}

std::string networkFileSystemOf(const std::string &path)
{
    struct stat status = {};
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (::stat(path.c_str(), &status) != 0 && ::stat(folder.c_str(), &status) != 0)
        return {};
    const std::ifstream file("/proc/self/mountinfo");
    std::ostringstream mounts;
    mounts << file.rdbuf();
    return networkFileSystemIn(mounts.str(), status.st_dev);
}

} // namespace storage

package doctor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// network are the file systems on other machines, by the magic number of statfs(2).
// Folders that a virtual machine shares with its host are no better.
var network = map[uint32]string{
	unix.NFS_SUPER_MAGIC:   "NFS",
	unix.SMB_SUPER_MAGIC:   "SMB",
	unix.SMB2_SUPER_MAGIC:  "SMB",
	unix.CIFS_SUPER_MAGIC:  "CIFS",
	unix.V9FS_MAGIC:        "9p",
	unix.AFS_SUPER_MAGIC:   "AFS",
	unix.AFS_FS_MAGIC:      "AFS",
	unix.CODA_SUPER_MAGIC:  "Coda",
	unix.CEPH_SUPER_MAGIC:  "CephFS",
	unix.OCFS2_SUPER_MAGIC: "OCFS2",
	0x0bd00bd0:             "Lustre",
	0x01161970:             "GFS2",
	0x47504653:             "GPFS",
	0x19830326:             "BeeGFS",
	0x786f4256:             "a VirtualBox share",
	0xbacbacbc:             "a VMware share",
	0x7c7c6673:             "a Parallels share",
}

// overFUSE are those that are known by the name in the list of mounts only: FUSE is
// also how some local disks are read.
var overFUSE = []string{"sshfs", "s3fs", "rclone", "glusterfs", "ceph", "gcsfuse", "goofys", "juicefs", "blobfuse2", "mfs", "davfs", "curlftpfs", "smbnetfs"}

// diskOf looks at the disk that a folder is on.
func diskOf(folder string) (disk, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return disk{}, fmt.Errorf("%s: %w", folder, err)
	}
	disk := disk{Network: network[uint32(stat.Type)], Free: stat.Bavail * uint64(stat.Bsize)} // the type is signed on some machines
	if uint32(stat.Type) == unix.FUSE_SUPER_MAGIC {
		disk.Network = fuseOf(folder)
	}
	return disk, nil
}

// fuseOf tells what is behind FUSE, "" where that is no network or unknown.
func fuseOf(folder string) string {
	var stat unix.Stat_t
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil || unix.Stat(folder, &stat) != nil {
		return ""
	}
	defer mounts.Close()
	return fuseIn(mounts, fmt.Sprintf("%d:%d", unix.Major(uint64(stat.Dev)), unix.Minor(uint64(stat.Dev))))
}

// fuseIn finds a device in a list of mounts, see proc_pid_mountinfo(5).
func fuseIn(mounts io.Reader, device string) string {
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		mount, filesystem, _ := strings.Cut(lines.Text(), " - ")
		if fields := strings.Fields(mount); len(fields) < 3 || fields[2] != device {
			continue
		}
		kind, _, _ := strings.Cut(filesystem, " ")
		kind = strings.TrimPrefix(kind, "fuse.")
		for _, name := range overFUSE {
			if kind == name {
				return name
			}
		}
	}
	return ""
}

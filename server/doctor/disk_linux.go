package doctor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
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

// byName are those that are known by the name in the list of mounts only: FUSE is also how some
// local disks are read. The first line is how Docker Desktop and other virtual machines see the
// folders of their host; there the log of SQLite is known to be damaged.
var byName = []string{
	"virtiofs", "grpcfuse", "fakeowner", "osxfs", "vmhgfs-fuse", "vboxsf", "prl_fs", "prl_fsd",
	"sshfs", "s3fs", "mount-s3", "mountpoint-s3", "rclone", "glusterfs", "ceph", "ceph-fuse", "gcsfuse", "goofys", "juicefs", "blobfuse2", "mfs", "lizardfs",
	"davfs", "curlftpfs", "smbnetfs", "ossfs", "seaweedfs", "alluxio-fuse", "hdfs", "fuse_dfs", "google-drive-ocamlfuse", "onedriver", "orangefs", "pvfs2",
}

// diskOf looks at the disk that a folder is on.
func diskOf(folder string) (disk, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return disk{}, fmt.Errorf("%s: %w", folder, err)
	}
	disk := disk{Network: network[uint32(stat.Type)], Free: stat.Bavail * uint64(stat.Bsize)} // the type is signed on some machines
	if disk.Network == "" {
		disk.Network = mountedOn(folder)
	}
	return disk, nil
}

// mountedOn tells by which of byName a folder is mounted, "" where by none of them.
func mountedOn(folder string) string {
	var stat unix.Stat_t
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil || unix.Stat(folder, &stat) != nil {
		return ""
	}
	defer mounts.Close()
	return nameIn(mounts, fmt.Sprintf("%d:%d", unix.Major(uint64(stat.Dev)), unix.Minor(uint64(stat.Dev))))
}

// nameIn finds a device in a list of mounts, see proc_pid_mountinfo(5).
func nameIn(mounts io.Reader, device string) string {
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		mount, filesystem, _ := strings.Cut(lines.Text(), " - ")
		if fields := strings.Fields(mount); len(fields) < 3 || fields[2] != device {
			continue
		}
		kind, source, _ := strings.Cut(filesystem, " ")
		if kind == "fuse" { // which does not say more: it is said by what is mounted
			kind, _, _ = strings.Cut(source, " ")
		}
		if kind = strings.TrimPrefix(kind, "fuse."); slices.Contains(byName, kind) {
			return kind
		}
	}
	return ""
}

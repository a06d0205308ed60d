package doctor

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNetworkFileSystemsAreKnownByTheirNumbers(t *testing.T) {
	for magic, want := range map[uint32]string{ // of statfs(2)
		0x6969: "NFS", 0xff534d42: "CIFS", 0x517b: "SMB", 0xfe534d42: "SMB", 0x01021997: "9p", 0x00c36400: "CephFS", 0x5346414f: "AFS",
		0x7461636f: "OCFS2", 0x73757245: "Coda", 0x0bd00bd0: "Lustre",
		0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: "", 0x794c7630: "", 0x2fc12fc1: "", 0x65735546: "", // ext4, XFS, Btrfs, tmpfs, overlay, ZFS, FUSE
	} {
		if got := network[magic]; got != want {
			t.Errorf("%#x is %q, want %q", magic, got, want)
		}
	}
}

func TestALocalDiskIsOne(t *testing.T) {
	folders := []string{t.TempDir()}
	var stat unix.Statfs_t
	if unix.Statfs("/dev/shm", &stat) == nil && stat.Type == unix.TMPFS_MAGIC {
		folders = append(folders, "/dev/shm")
	}
	for _, folder := range folders {
		if disk, err := diskOf(folder); err != nil || disk.Network != "" || disk.Free == 0 {
			t.Errorf("%s: %+v %v", folder, disk, err)
		}
	}
	if disk, err := diskOf("/proc"); err != nil || disk.Free != 0 {
		t.Errorf("/proc: %+v %v", disk, err)
	}
	if _, err := diskOf("/nowhere"); !os.IsNotExist(err) && !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestWhatIsBehindFUSEStandsInTheListOfMounts(t *testing.T) {
	const mounts = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
61 22 0:54 / /mnt/far rw,nosuid shared:21 master:1 - fuse.sshfs ada@far:/ rw,user_id=0
62 22 0:55 / /mnt/near rw shared:22 - fuseblk /dev/sdb1 rw
63 22 0:56 / /mnt/with\040space rw - fuse.rclone far: rw
64 22 0:57 / /mnt/host rw - virtiofs tag rw
broken`
	for device, want := range map[string]string{"0:54": "sshfs", "0:55": "", "0:56": "rclone", "0:57": "", "0:58": "", "254:0": ""} {
		if got := fuseIn(strings.NewReader(mounts), device); got != want {
			t.Errorf("%s is %q, want %q", device, got, want)
		}
	}
}

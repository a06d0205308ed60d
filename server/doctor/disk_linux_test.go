package doctor

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rollcall/server/api"
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

func TestAFileSystemIsKnownByItsNameInTheListOfMounts(t *testing.T) {
	const mounts = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
61 22 0:54 / /mnt/far rw,nosuid shared:21 master:1 - fuse.sshfs ada@far:/ rw,user_id=0
62 22 0:55 / /mnt/near rw shared:22 - fuseblk /dev/sdb1 rw
63 22 0:56 / /mnt/with\040space rw - fuse.rclone far: rw
64 22 0:57 / /mnt/host rw - virtiofs tag rw
65 22 0:60 / /data rw,nosuid,nodev,relatime - fakeowner /run/host_mark/Users rw,fakeowner
66 22 0:61 / /data rw,nosuid,nodev,relatime - fuse.grpcfuse grpcfuse rw,user_id=0,group_id=0,allow_other,max_read=1048576
67 22 0:62 / /data rw,relatime - fuse.osxfs osxfs rw,user_id=0
68 22 0:63 / /data rw,relatime - virtiofs virtiofs0 rw
69 22 0:64 / /mnt/lima-rosetta rw - virtiofs vz-rosetta rw
70 22 0:65 / /data rw,relatime - fuse.sshfs :/Users/ada rw
71 22 0:66 / /vagrant rw,nodev,relatime - vboxsf vagrant rw,iocharset=utf8
72 22 0:67 / /mnt/hgfs rw - fuse.vmhgfs-fuse vmhgfs-fuse rw
73 22 0:68 / /media/psf rw - prl_fs none rw
74 22 0:69 / /media/psf rw - fuse.prl_fsd none rw
75 22 0:70 / /mnt/s3 rw - fuse mountpoint-s3 rw
76 22 0:71 / /mnt/s3 rw - fuse.s3fs s3fs rw
77 22 0:72 / /mnt/gv rw - fuse.glusterfs server:/gv0 rw
78 22 0:73 / /mnt/ceph rw - fuse.ceph-fuse ceph-fuse rw
79 22 0:74 / /mnt/gcs rw - fuse.gcsfuse bucket rw
80 22 0:75 / /mnt/jfs rw - fuse.juicefs JuiceFS:myjfs rw
81 22 0:76 / /mnt/blob rw - fuse.blobfuse2 blobfuse2 rw
82 22 0:77 / /mnt/mfs rw - fuse.mfs mfsmaster:9421 rw
83 22 0:78 / /mnt/dav rw - fuse.davfs https://x rw
84 22 0:79 / /mnt/ntfs rw - fuse.ntfs-3g /dev/sdb1 rw
85 22 0:80 / /mnt/merged rw - fuse.mergerfs a:b rw
86 22 0:81 / /var/lib/docker/overlay2 rw - overlay overlay rw,lowerdir=/virtiofs
87 22 0:82 / /vol rw - ext4 /dev/disk/by-id/virtiofs rw
broken`
	for device, want := range map[string]string{"0:54": "sshfs", "0:55": "", "0:56": "rclone", "0:57": "virtiofs",
		"0:60": "fakeowner", "0:61": "grpcfuse", "0:62": "osxfs", "0:63": "virtiofs", "0:64": "virtiofs", "0:65": "sshfs", "0:66": "vboxsf", "0:67": "vmhgfs-fuse",
		"0:68": "prl_fs", "0:69": "prl_fsd", "0:70": "mountpoint-s3", "0:71": "s3fs", "0:72": "glusterfs", "0:73": "ceph-fuse", "0:74": "gcsfuse", "0:75": "juicefs",
		"0:76": "blobfuse2", "0:77": "mfs", "0:78": "davfs", "0:79": "", "0:80": "", "0:81": "", "0:82": "",
		"0:58": "", "254:0": ""} {
		if got := nameIn(strings.NewReader(mounts), device); got != want {
			t.Errorf("%s is %q, want %q", device, got, want)
		}
	}
}

func TestAFolderThatEverybodyMayWriteToIsToldOf(t *testing.T) {
	folder := t.TempDir()
	for mode, want := range map[os.FileMode]api.FindingState{0o700: api.FindingOK, 0o750: api.FindingOK, 0o777: api.FindingProblem, 0o702: api.FindingProblem} {
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		found := slices.DeleteFunc(DataChecks(folder), func(f api.Finding) bool { return f.Check != "access" })
		if len(found) != 1 || found[0].State != want {
			t.Errorf("%o: %v", mode, found)
		}
	}
}

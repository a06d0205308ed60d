package cli_test

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// containerFile is .container/Containerfile as the builder of an image reads it: the arguments of
// each instruction, in order.
type containerFile map[string][]string

func readContainerFile(t *testing.T) containerFile {
	t.Helper()
	text, err := os.ReadFile("../../.container/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	file := containerFile{}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		if word, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(word, "#") {
			file[word] = append(file[word], strings.TrimSpace(rest))
		}
	}
	return file
}

// only returns the arguments of an instruction that is there once.
func (f containerFile) only(t *testing.T, word string) string {
	t.Helper()
	if len(f[word]) != 1 {
		t.Fatalf("the file has %d times %s", len(f[word]), word)
	}
	return f[word][0]
}

// args returns a command in the form that needs no shell, of which there is none.
func args(t *testing.T, text string) (list []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) == 0 {
		t.Fatalf("%s is not a list of arguments: %v", text, err)
	}
	return list
}

func (f containerFile) env(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, assignment := range strings.Fields(f.only(t, "ENV")) {
		name, value, _ := strings.Cut(assignment, "=")
		env[name] = value
	}
	return env
}

func TestTheContainerFileAgreesWithTheProgram(t *testing.T) {
	file := readContainerFile(t)
	env := file.env(t)
	modules, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(modules))[1]
	if from := file["FROM"]; !slices.Equal(from, []string{"docker.io/library/golang:" + goVersion + " AS build", "scratch"}) {
		t.Errorf("it is built from %q, go.mod has Go %s", from, goVersion)
	}
	if user := file.only(t, "USER"); !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("the user is %q, but without /etc/passwd it must be a number, and not root's", user)
	}
	if volume := file.only(t, "VOLUME"); volume != env["ROLLCALL_DATA"] {
		t.Errorf("the volume is %s, the data in %s", volume, env["ROLLCALL_DATA"])
	}
	if _, port, _ := net.SplitHostPort(env["ROLLCALL_LISTEN"]); port != file.only(t, "EXPOSE") {
		t.Errorf("port %s is exposed, %s listened on", file.only(t, "EXPOSE"), port)
	}
}

// In podman's own format an image has no HEALTHCHECK.
func TestTheImageIsBuiltInAFormatThatKeepsItsHealthcheck(t *testing.T) {
	for _, file := range []string{"../../README.md", "../../.container/Containerfile"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		builds := regexp.MustCompile("podman build .*").FindAllString(string(text), -1)
		if len(builds) == 0 {
			t.Errorf("%s does not say how to build the image", file)
		}
		for _, build := range builds {
			if !strings.Contains(build, " --format docker ") {
				t.Errorf("%s: %s", file, build)
			}
		}
	}
}

// TestTheProgramNeedsNothingElseInItsContainer builds the program as the file says and runs it as
// the file says, in a folder that holds what the image does.
func TestTheProgramNeedsNothingElseInItsContainer(t *testing.T) {
	image := newImage(t)
	serve := image.command(t, args(t, image.file.only(t, "ENTRYPOINT"))...)
	said, err := serve.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		if os.Geteuid() != 0 {
			t.Skipf("only root may do this here: %v", err)
		}
		t.Fatal(err)
	}
	defer serve.Process.Kill()
	var log strings.Builder
	for scanner := bufio.NewScanner(said); !listening.MatchString(log.String()) && scanner.Scan(); {
		log.WriteString(scanner.Text() + "\n")
	}
	if !listening.MatchString(log.String()) || strings.Contains(log.String(), "nothing reads") {
		t.Fatalf("it says: %s", &log)
	}
	_, check, _ := strings.Cut(image.file.only(t, "HEALTHCHECK"), "CMD ")
	image.runs(t, args(t, check)...)
	image.runs(t, "/rollcall", "key", "create", "--app", "wiki", "--scope", "read")
	image.runs(t, "/rollcall", "backup", "/data/copy.db")
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if out, err := image.command(t, args(t, check)...).CombinedOutput(); err == nil {
		t.Errorf("a stopped server is healthy: %s", out)
	}
	image.runs(t, "/rollcall", "restore", "/data/copy.db")
}

// image is a folder with what is in the image.
type image struct {
	file containerFile
	root string
	env  []string
}

func newImage(t *testing.T) *image {
	t.Helper()
	i := &image{file: readContainerFile(t), root: t.TempDir()}
	build := regexp.MustCompile(`CGO_ENABLED=0 go build .* /out/rollcall \.`).FindString(strings.Join(i.file["RUN"], "\n"))
	if build == "" {
		t.Fatal("the file builds nothing")
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(build, "/out/rollcall", filepath.Join(i.root, "rollcall"), 1))
	shell.Dir = "../.."
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	data := filepath.Join(i.root, "data")
	for folder := i.root; len(folder) > len(os.TempDir()); folder = filepath.Dir(folder) { // another user has to get in
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(data, containerUser, containerUser); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // one that is free, for the one that may not be
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	for name, value := range i.file.env(t) {
		i.env = append(i.env, name+"="+strings.Replace(value, ":"+i.file.only(t, "EXPOSE"), ":"+port, 1))
	}
	return i
}

const containerUser = 65532

// command runs in the image. Who is not root becomes the user in a namespace of their own.
func (i *image) command(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = i.file["WORKDIR"][1], i.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: containerUser, Gid: containerUser, NoSetGroups: os.Geteuid() != 0}}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: containerUser, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: containerUser, HostID: os.Getegid(), Size: 1}}
	}
	return cmd
}

func (i *image) runs(t *testing.T, args ...string) {
	t.Helper()
	if out, err := i.command(t, args...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", args, err, out)
	}
}

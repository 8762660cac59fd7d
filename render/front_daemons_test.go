package render

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

// A front is the rendered files of a front end, moved to the loopback and to
// ports and folders of their own, and otherwise as they are.
type front struct {
	t     *testing.T
	dir   string
	files map[string]string
	ports struct{ http, https, cache, purge, balancer, peers, status int }
	sync  *daemon // statesync
	alone bool    // without it
}

const (
	nginxConf   = "/etc/nginx/nginx.conf"
	vclFile     = "/etc/varnish/default.vcl"
	varnishUnit = "/etc/systemd/system/varnish.service.d/plonec.conf"
	haproxyCfg  = "/etc/haproxy/haproxy.cfg"
)

// statsPassword is the password of the users file that newFront writes, as
// apply would.
const (
	statsPassword = "sesame"
	statsUsers    = "userlist plonec\n    user stats password $6$plonec$qWAP7ZWnm.ulfj6gBbSRIl8QkaMO47XNbvCKj8eg5r3Suu5FkuxEh0EkRscecGNyWEs5Be.y.QS6Fg3Gn5bCR/\n"
)

func newFront(t *testing.T, h *topology.Host) *front {
	t.Helper()
	dir, err := os.MkdirTemp("", "plonec-front")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// The daemons' own users come in.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := &front{t: t, dir: dir, files: rendered(t, h)}
	if h.Front.Stats {
		f.files[usersCfg] = statsUsers
	}
	for _, p := range []*int{&f.ports.http, &f.ports.https, &f.ports.cache, &f.ports.purge, &f.ports.balancer, &f.ports.peers, &f.ports.status} {
		*p = freePort(t)
	}
	for path, text := range f.files {
		f.files[path] = strings.NewReplacer(
			"        listen [::]:80;\n", "", "        listen [::]:80 default_server;\n", "",
			"        listen [::]:443 ssl http2;\n", "", "        listen [::]:443 ssl http2 default_server;\n", "",
			"        listen [::]:443 ssl;\n", "", "        listen [::]:443 ssl default_server;\n", "",
			"listen 80", fmt.Sprint("listen 127.0.0.1:", f.ports.http),
			"listen 443", fmt.Sprint("listen 127.0.0.1:", f.ports.https),
			"/run/nginx.pid", dir+"/nginx.pid",
			"/var/log/nginx/", dir+"/",
			"/etc/nginx/ssl/", dir+"/etc/nginx/ssl/",
			"/etc/nginx/pages/", dir+"/etc/nginx/pages/",
			"/etc/plonec/maintenance", dir+"/etc/plonec/maintenance",
			"include /etc/nginx/secrets/", "include "+dir+"/etc/nginx/secrets/",
			"http {\n", "http {\n    client_body_temp_path "+dir+"/body;\n    proxy_temp_path "+dir+"/proxy;\n",
			"/run/haproxy/admin.sock", dir+"/admin.sock",
			service.SyncSocket, dir+"/sync.sock",
			":6081", fmt.Sprint(":", f.ports.cache),
			":6082", fmt.Sprint(":", f.ports.purge),
			":8080", fmt.Sprint(":", f.ports.balancer),
			":8079", fmt.Sprint(":", f.ports.status),
			`.port = "8080"`, fmt.Sprintf(".port = %q", strconv.Itoa(f.ports.balancer)),
			":10000", fmt.Sprint(":", f.ports.peers),
			"/etc/varnish/default.vcl", dir+"/etc/varnish/default.vcl",
		).Replace(text)
	}
	return f
}

// swap changes a text in a rendered file: a control shows what happens without
// a line.
func (f *front) swap(path, old, new string) {
	f.t.Helper()
	if !strings.Contains(f.files[path], old) {
		f.t.Fatalf("%s holds no %q", path, old)
	}
	f.files[path] = strings.ReplaceAll(f.files[path], old, new)
}

// write puts a file into the front's folder and gives its place there.
func (f *front) write(path string) string {
	f.t.Helper()
	text, ok := f.files[path]
	if !ok {
		f.t.Fatalf("%s is not rendered", path)
	}
	place := filepath.Join(f.dir, path)
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(place, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
	return place
}

func (f *front) haproxyArgs() []string {
	args := []string{"-f", f.write(haproxyCfg)}
	if _, ok := f.files[usersCfg]; ok {
		args = append(args, "-f", f.write(usersCfg))
	}
	return args
}

func (f *front) haproxy() *daemon {
	f.t.Helper()
	args := append([]string{"-W", "-p", f.dir + "/haproxy.pid"}, f.haproxyArgs()...)
	d := run(f.t, []string{"PLONEC_SERVER_STATE=" + f.stateFile()}, "haproxy", args...)
	d.listens(f.ports.balancer)
	if f.sync == nil && !f.alone {
		f.synced()
	}
	return d
}

// synced starts statesync, as its unit does.
func (f *front) synced() {
	f.t.Helper()
	dir := f.dir + "/statesync"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.t.Fatal(err)
	}
	f.sync = run(f.t, []string{"RUNTIME_DIRECTORY=" + dir}, "/usr/bin/python3", f.write(service.SyncProgram), f.dir+"/sync.sock", strconv.Itoa(service.AgentPort))
}

// stateFile is HAProxy's, as the unit begins it.
func (f *front) stateFile() string {
	place := f.dir + "/servers"
	if _, err := os.Stat(place); err != nil {
		if err := os.WriteFile(place, []byte("1\n"), 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
	return place
}

func (f *front) nginx() *daemon {
	f.t.Helper()
	for path := range f.files {
		if strings.HasPrefix(path, "/etc/nginx/pages/") {
			f.write(path)
		}
	}
	d := run(f.t, nil, "nginx", append(f.nginxArgs(), "-g", "daemon off;")...)
	d.listens(f.ports.http)
	return d
}

// nginxArgs keeps what nginx says before it has read its file out of the
// system's own log, where it can be told so: 1.18 cannot.
func (f *front) nginxArgs() []string {
	args := []string{"-c", f.write(nginxConf)}
	if help, _ := exec.Command(program(f.t, "nginx"), "-h").CombinedOutput(); strings.Contains(string(help), "-e filename") {
		args = append(args, "-e", f.dir+"/start.log")
	}
	return args
}

// varnish starts varnishd as the unit does, by its own command line.
func (f *front) varnish() *daemon {
	f.t.Helper()
	f.write(vclFile)
	d := run(f.t, nil, "varnishd", append(f.varnishArgs(), "-n", f.dir+"/varnish")...)
	d.listens(f.ports.cache)
	return d
}

func (f *front) varnishArgs() []string {
	_, line, _ := strings.Cut(f.files[varnishUnit], "\nExecStart=/usr/sbin/varnishd")
	line, _, _ = strings.Cut(line, "\nRestart")
	args := strings.Fields(strings.NewReplacer("\\\n", " ", `"`, "").Replace(line))
	if len(args) == 0 {
		f.t.Fatal("no command line in", varnishUnit)
	}
	return args
}

// ask sends a request to nginx as it stands and gives the answer. A status of
// 0 is a connection closed without one.
func (f *front) ask(method, host, target string, headers ...string) answer {
	f.t.Helper()
	return ask(f.t, f.ports.http, method, host, target, headers...)
}

// admin sends a command to HAProxy's socket, which is there a moment after its ports.
func (f *front) admin(command string) string {
	f.t.Helper()
	var conn net.Conn
	var err error
	until(f.t, "HAProxy's socket is there", func() bool {
		conn, err = net.Dial("unix", f.dir+"/admin.sock")
		return err == nil
	})
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintln(conn, command)
	out, err := io.ReadAll(conn)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(out)
}

// server gives the state that HAProxy shows for a server: UP, DRAIN, MAINT, …
func (f *front) server(name string) string {
	f.t.Helper()
	for _, line := range strings.Split(f.admin("show stat"), "\n") {
		if c := strings.Split(line, ","); len(c) > 17 && c[1] == name {
			return c[17]
		}
	}
	return "not there"
}

// weight is what HAProxy has of a server.
func (f *front) weight(name string) string {
	f.t.Helper()
	weight, _, _ := strings.Cut(f.admin("get weight plone/"+name), " ")
	return weight
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never came true: ", what)
		}
	}
}

// A daemon is one that a test has started.
type daemon struct {
	t   *testing.T
	cmd *exec.Cmd
	out *lockedBuffer
}

// packages tells where the programs come from.
var packages = map[string]string{
	"haproxy": "haproxy", "nginx": "nginx", "varnishd": "varnish", "varnishadm": "varnish", "systemd-analyze": "systemd", "openssl": "openssl",
	"git": "git", "git-lfs": "git-lfs", "sshd": "openssh-server", "ssh-keygen": "openssh-client", "ssh-keyscan": "openssh-client",
}

// program finds a program, which is not in every user's path.
func program(t testing.TB, name string) string {
	t.Helper()
	if filepath.IsAbs(name) {
		return name
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		place := filepath.Join(dir, name)
		if info, err := os.Stat(place); err == nil && info.Mode()&0o111 != 0 {
			return place
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s", name, packages[name])
	return ""
}

// run starts a program, which ends with the test, or after two minutes where
// the test could not see to it.
func run(t *testing.T, env []string, name string, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, out: &lockedBuffer{}}
	d.cmd = exec.Command(program(t, "timeout"), append([]string{"-k", "3", "120", program(t, name)}, args...)...)
	d.cmd.Env = append(os.Environ(), env...)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	d.cmd.WaitDelay = 5 * time.Second
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stop)
	return d
}

func (d *daemon) stop() {
	if d.cmd.ProcessState != nil {
		return
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	d.cmd.Wait()
	if d.t.Failed() {
		d.t.Logf("%s:\n%s", d.cmd.Args[4], d.out)
	}
}

// signal sends a signal to the program itself, and waits until it has ended.
func (d *daemon) signal(s syscall.Signal) {
	d.t.Helper()
	timeout := d.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", timeout, timeout))
	if err == nil {
		var pid int
		if _, err = fmt.Sscan(string(text), &pid); err == nil {
			err = syscall.Kill(pid, s)
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.cmd.Wait()
}

func (d *daemon) listens(port int) {
	d.t.Helper()
	until(d.t, fmt.Sprint(d.cmd.Args[4], " listens on ", port), func() bool {
		conn, err := net.DialTimeout("tcp", fmt.Sprint("127.0.0.1:", port), time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// nextPort begins anywhere, as other tests may run beside these.
var nextPort = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(rand.Int64N(17_000))
	return &n
}()

// freePort gives a port below those that outgoing connections take.
func freePort(t *testing.T) int {
	for range 10_000 {
		port := 15_000 + int(nextPort.Add(1)%17_000)
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// listen takes a port that was free a moment ago. A program that another test is
// just starting has a copy of what was open then, until it runs.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		l, err := net.Listen("tcp", address)
		if err == nil {
			return l
		}
		if time.Since(began) > 5*time.Second {
			t.Fatal(err)
		}
	}
}

// An answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %v %.300q", a.Status, a.Header, a.Body) }

// ask sends a request exactly as it is written.
func ask(t *testing.T, port int, method, host, target string, headers ...string) answer {
	t.Helper()
	a, err := tryAsk(fmt.Sprint("127.0.0.1:", port), "", method, host, target, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

func tryAsk(address, from, method, host, target string, headers ...string) (answer, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	request := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n"
	for _, h := range headers {
		request += h + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return answer{}, err
	}
	reader := bufio.NewReader(conn)
	if _, err := reader.Peek(1); err == io.EOF || errors.Is(err, syscall.ECONNRESET) {
		return answer{}, nil
	}
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

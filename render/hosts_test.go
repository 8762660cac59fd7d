package render

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

// hostileText means something to a shell, to systemd, or to both.
var hostileText = []string{
	"", " ", "a b", `"`, "'", `\`, `a\`, "$", "$HOME", "${HOME}", "$(id)", "`id`", "%", "%h", ";", "; id", "#x", "a=b", "-e", "~",
	"*", "&", "|", "<x", "tab\tx", "\nid\n", `\n`, "é", "日本", "'\"'\"'", `'; id; '`, `"; id; "`, ") (",
}

// TestConfParsesBack: bash reads every value of app.conf and build.conf as the
// stack gave it, whatever is in it.
func TestConfParsesBack(t *testing.T) {
	for _, text := range hostileText {
		h := processHost()
		a := h.Apps[0]
		c := a.Config
		c.SCM.Repository, c.SCM.Revision, c.SCM.User = text, text, text
		c.DeployTo, c.Home, c.BuildoutConfig, c.BuildoutVersion = "/srv/"+text, text, text, text
		c.Packages = schema.Packages{{Name: text}, {Name: "b", Version: "1"}}
		c.PurgeBeforeSymlink = []string{text, "x"}
		c.BuildoutCacheArchives = []schema.CacheArchive{{URL: text, Path: text, User: text}}
		h.Stack.Haproxy.HealthCheckURL = text
		a.Clients[0].Address = text
		want := map[string]string{
			"SCM_REPOSITORY": text, "SCM_REVISION": text, "SCM_USER": text, "DEPLOY_TO": "/srv/" + text, "APP_HOME": text,
			"BUILD_CONFIG": text, "BUILD_PACKAGES[0]": text, "BUILD_PACKAGES[1]": "b==1", "BUILD_PURGE[0]": text, "BUILD_PURGE[1]": "x",
			"ARCHIVE_URLS[0]": text, "ARCHIVE_USERS[0]": text, "CLIENT_ADDRESSES[0]": text, "CLIENT_ADDRESSES[1]": "127.0.0.1",
			"KEEP_RELEASES": "5",
		}
		if text == "" {
			want["BUILD_VERSION"] = ""
			want["HEALTH_URL"] = "/ok"
		} else {
			want["BUILD_BUILDOUT_VERSION"] = text
			want["HEALTH_URL"] = text
		}
		var script, expected strings.Builder
		script.WriteString(content(t, h, "/etc/plonec/site/app.conf") + content(t, h, "/etc/plonec/site/build.conf"))
		for name, value := range want {
			fmt.Fprintf(&script, "printf '%%s\\0' \"${%s}\"\n", name)
			expected.WriteString(value + "\x00")
		}
		cmd := exec.Command("env", "-i", "bash")
		cmd.Stdin = strings.NewReader(script.String())
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != expected.String() {
			t.Errorf("%q: %v\ngot  %q\nwant %q", text, err, out, expected.String())
		}
	}
}

// TestHostEnvParsesBack: sh reads host.env.
func TestHostEnvParsesBack(t *testing.T) {
	for _, text := range hostileText {
		h := processHost()
		h.Name, h.Stack.System.Timezone = text, text
		h.Apps[0].Config.OSPackages = schema.Packages{{Name: "libpq5", Version: "15.8"}, {Name: "wv"}}
		cmd := exec.Command("env", "-i", "sh")
		cmd.Stdin = strings.NewReader(content(t, h, "/etc/plonec/host.env") + `printf '%s|%s|%s' "$HOST" "$TIMEZONE" "$PACKAGES"`)
		out, err := cmd.CombinedOutput()
		want := text + "|" + text + "|bzip2 ca-certificates curl git libpq5=15.8 logrotate openssh-client procps python3 python3-venv rsync unzip wv xz-utils"
		if err != nil || string(out) != want {
			t.Errorf("%q: %v\ngot  %q\nwant %q", text, err, out, want)
		}
	}
}

// TestAppEnvReaders: a unit's program, and what runs as the app's user besides,
// find the variables of the stack, whatever their names and values are.
func TestAppEnvReaders(t *testing.T) {
	h := processHost()
	env := map[string]schema.EnvValue{"SECRET": {Secret: schema.Secret{Plain: "sentinel", Source: "stack:/x"}}}
	want := map[string]string{}
	set := func(name, text string) {
		env[name] = schema.EnvValue{Text: text}
		want[name] = text
	}
	for i, text := range hostileText {
		set(fmt.Sprintf("V%d", i), text)
	}
	// Names that mean something to a shell, to its startup or to the scripts.
	for _, name := range []string{"IFS", "PATH", "PWD", "OLDPWD", "PS4", "ENV", "BASH_ENV", "LINENO", "PPID", "LC_ALL", "HOME", "CREDENTIALS_DIRECTORY", "PLONEC_ROOT", "NEXT", "secrets", "a"} {
		set(name, "/x y'$")
	}
	h.Apps[0].Config.Environment = env
	text := content(t, h, "/etc/plonec/site/app.env")
	if strings.Contains(text, "SECRET") || strings.Contains(text, "sentinel") {
		t.Error("a secret is in app.env")
	}
	r := newEnvReaders(t)
	r.equal(text, "", want)
	want["SECRET"], want["V1"] = "'\"$\n", "another"
	r.equal(text, "SECRET=\"'\\\"\\$\n\"\nV1=\"another\"\n", want)
}

// FuzzAppEnv: the two readers find the same, and what the file was written from.
func FuzzAppEnv(f *testing.F) {
	for _, text := range hostileText {
		f.Add("NAME", text, "SECRET", text)
	}
	f.Add("NAME", "in the file", "NAME", "and in that of the secrets")
	f.Add("IFS", "=", "_", "")
	f.Fuzz(func(t *testing.T, name, value, secretName, secret string) {
		line, err := escape.EnvFile(name, value)
		if err != nil {
			return
		}
		hidden, err := escape.EnvFile(secretName, secret)
		if err != nil {
			return
		}
		want := map[string]string{name: value}
		want[secretName] = secret
		newEnvReaders(t).equal("# Generated\n"+line+"\n", hidden+"\n", want)
	})
}

// envReaders are the two programs that read an app's environment.
type envReaders struct {
	t       *testing.T
	scripts string
}

func newEnvReaders(t *testing.T) envReaders { return envReaders{t, hostScripts(t)} }

// equal lets both read the files, and compares all of what a program finds then.
func (r envReaders) equal(text, secrets string, want map[string]string) {
	r.t.Helper()
	dir := r.t.TempDir()
	file, hidden := filepath.Join(dir, "app.env"), filepath.Join(dir, "secrets.env")
	asUser := []string{"/usr/bin/python3", "-I", r.scripts + "/as-user", "--env", file}
	err := os.WriteFile(file, []byte(text), 0o644)
	if err == nil && secrets != "" {
		err = os.WriteFile(hidden, []byte(secrets), 0o644)
		asUser = append(asUser, "--env", hidden)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	user, group := "nobody", "nogroup"
	if os.Geteuid() != 0 { // it stays who it is
		user, group = "x", "x"
	}
	program := []string{"/usr/bin/env", "-0"}
	own := map[string]string{"HOME": "/", "USER": user, "LOGNAME": user, "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
	for reader, argv := range map[string][]string{
		"as-user":  slices.Concat(asUser, []string{"--", user, group, "/"}, program),
		"with-env": slices.Concat([]string{r.scripts + "/with-env", file}, program),
	} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = dir
		for name, value := range own { // with-env finds what systemd sets
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		if secrets != "" {
			cmd.Env = append(cmd.Env, "CREDENTIALS_DIRECTORY="+dir)
		}
		out, err := cmd.Output()
		if err != nil {
			r.t.Errorf("%s: %v", reader, err)
		}
		got := map[string]string{}
		for _, pair := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			name, value, _ := strings.Cut(pair, "=")
			got[name] = value
		}
		all := maps.Clone(own)
		maps.Copy(all, want)
		if !maps.Equal(got, all) {
			r.t.Errorf("%s found\n%q\nwant\n%q", reader, got, all)
		}
	}
}

// hostScripts writes the scripts as they lie on a host, and what lets PLONEC_ROOT
// say where they work.
func hostScripts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := Common()
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, ".test"), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Path, ScriptDir)
		if !ok {
			continue // a unit
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Content, os.FileMode(f.Mode)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tester is who runs the tests, and the first group: apps of tests are theirs.
func tester(t *testing.T) (*user.User, *user.Group) {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return me, group
}

func TestShellcheck(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Fatal("no shellcheck here: apt-get install shellcheck")
	}
	dir := hostScripts(t)
	var scripts []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := strings.SplitN(string(text), "\n", 3)
		comment := lines[0]
		if strings.HasPrefix(comment, "#!") {
			comment = lines[1]
		}
		if !strings.HasPrefix(comment, "# Generated by plonec") {
			t.Errorf("%s does not say that plonec generated it", path)
		}
		if !strings.Contains(lines[0], "python") {
			scripts = append(scripts, path)
		}
		if regexp.MustCompile(`(?m)^[^#\n]*\beval\b`).Match(text) {
			t.Errorf("%s uses eval", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shellcheck(t, dir, scripts)
}

// shellcheck lets shellcheck read scripts of a folder, and what they source. It takes
// half a second for each, and what it says depends on nothing but itself and the texts: a
// script that it took is not read again, by this or a later run, until one of them changes.
func shellcheck(t *testing.T, dir string, scripts []string) {
	t.Helper()
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("shellcheck", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	options := []string{"--norc", "--external-sources", "--source-path=SCRIPTDIR", "--source-path=SCRIPTDIR/.."}
	texts := map[string]string{}
	common := run("--version") + strings.Join(options, " ") + os.Getenv("SHELLCHECK_OPTS")
	for path, text := range everyFile(t, dir) {
		texts[filepath.Join(dir, path)] = text
	}
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		if ext := filepath.Ext(path); ext == ".sh" || ext == ".conf" { // what others source
			common += fmt.Sprintf("%s %q\n", strings.TrimPrefix(path, dir), texts[path])
		}
	}
	taken := filepath.Join(cmp.Or(os.Getenv("PLONEC_TEST_CACHE"), "../.cache"), "shellcheck")
	if err := os.MkdirAll(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	args, marks := options, []string(nil)
	for _, path := range scripts {
		mark := filepath.Join(taken, sumOf(common+strings.TrimPrefix(path, dir)+"\n"+texts[path]))
		if _, err := os.Stat(mark); err != nil {
			args, marks = append(args, path), append(marks, mark)
		}
	}
	if len(marks) == 0 {
		return
	}
	run(args...)
	for _, mark := range marks {
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPythonCompiles(t *testing.T) {
	dir := hostScripts(t)
	for _, name := range []string{"agent", "as-user", "builders/compare-confs", "builders/frontend-project", "builders/mx-ini", "builders/uv-instance", "compile-packages", "mask"} {
		cmd := exec.Command("/usr/bin/python3", "-I", "-W", "error", "-c", "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')", dir+"/"+name)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestCompilePackages: a release has compiled what it may need, or shares it with
// the one before.
func TestCompilePackages(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, age time.Duration) {
		t.Helper()
		name = filepath.Join(dir, name)
		at := time.Now().Add(-age)
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o644)
		}
		if err == nil {
			err = os.Chtimes(name, at, at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	compile := func(args ...string) {
		t.Helper()
		cmd := exec.Command("/usr/bin/python3", append([]string{hostScripts(t) + "/compile-packages"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	compiled := func(release, module string) os.FileInfo {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, release, "lib/__pycache__", module+".*.pyc"))
		if err != nil || len(files) > 1 {
			t.Fatal(err, files)
		}
		if len(files) == 0 {
			return nil
		}
		info, err := os.Stat(files[0])
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	for _, release := range []string{"one", "two"} {
		write(release+"/lib/broken.py", "a =\n", time.Hour)
		write(release+"/lib/tests/test_it.py", "a = 1\n", time.Hour)
	}
	write("one/lib/same.py", "a = 1\n", time.Hour)
	if err := os.Link(dir+"/one/lib/same.py", dir+"/two/lib/same.py"); err != nil {
		t.Fatal(err)
	}
	// Neither size nor time tells these apart.
	write("one/lib/changed.py", "a = 1\n", time.Hour)
	write("two/lib/changed.py", "a = 2\n", time.Hour)
	write("two/lib/added.py", "a = 1\n", time.Hour)
	compile("one")
	compile("two", "one")
	compile("two", "one") // nothing is left to do
	if !os.SameFile(compiled("one", "same"), compiled("two", "same")) {
		t.Error("what is the same is not shared")
	}
	if os.SameFile(compiled("one", "changed"), compiled("two", "changed")) {
		t.Error("what is another is shared")
	}
	if compiled("two", "added") == nil || compiled("two", "broken") != nil {
		t.Error("what is added is not compiled, or what cannot be is")
	}
	if _, err := os.Stat(filepath.Join(dir, "one/lib/tests/__pycache__")); err == nil {
		t.Error("tests are compiled")
	}
	out, err := exec.Command("/usr/bin/python3", "-v", "-c", "import sys; sys.path.insert(0, sys.argv[1]); import same, changed; assert changed.a == 2", filepath.Join(dir, "two/lib")).CombinedOutput()
	if err != nil || strings.Contains(string(out), "could not create") || strings.Count(string(out), "matches "+dir+"/two/lib/") != 2 {
		t.Errorf("Python does not take them: %v\n%s", err, out)
	}
}

// TestAgent starts the responder and asks it in each state.
func TestAgent(t *testing.T) {
	states, told := t.TempDir(), t.TempDir()
	ports := []int{loopbackPort(t), loopbackPort(t), loopbackPort(t)}
	cmd := exec.Command("/usr/bin/python3", hostScripts(t)+"/agent",
		fmt.Sprintf("127.0.0.1,%d,one", ports[0]), fmt.Sprintf("127.0.0.1,%d,two", ports[1]), fmt.Sprintf("127.0.0.1,%d,*", ports[2]))
	cmd.Env = []string{"AGENT_DIR=" + states, "AGENT_TOLD=" + told}
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
		if log.Len() > 0 {
			t.Errorf("it printed %s", log.String())
		}
	}()
	ask := func(port int) string {
		t.Helper()
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), 5*time.Second)
		if err != nil {
			return err.Error()
		}
		defer c.Close()
		c.(*net.TCPConn).SetLinger(0) // HAProxy resets what it has read
		c.SetDeadline(time.Now().Add(5 * time.Second))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil && err != io.EOF {
			return err.Error()
		}
		return line
	}
	for range 100 {
		if ask(ports[0]) == "up\n" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	set := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(states, name), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"up", "up 100%"}, {"down", "down 0%"}, {"up", "up 100%"}, {"", "up 100%"}, {"maint\ndown", "up 100%"}, {"long since up", "up"}, {"down", "down 0%"},
	} {
		set("one", c.text)
		if strings.HasPrefix(c.text, "long since") {
			before := time.Now().Add(-2 * time.Minute)
			if err := os.Chtimes(filepath.Join(states, "one"), before, before); err != nil {
				t.Fatal(err)
			}
		}
		if got := ask(ports[0]); got != c.want+"\n" {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		if got := ask(ports[1]); got != "up\n" {
			t.Errorf("the other client: %q", got)
		}
	}
	for i := range 101 {
		state := []string{"down", "up"}[i%2]
		set("one", state)
		ask(ports[0])
		want, note := "127.0.0.1 asked "+state+"\n", ""
		for range 100 { // it is written once the answer is out
			text, _ := os.ReadFile(filepath.Join(told, "one"))
			if note = string(text); note == want {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if note != want {
			t.Fatalf("told, after %d polls: %q, want %q", i+1, note, want)
		}
	}
	// Polls cost next to nothing, and one who says nothing holds up nobody.
	idle, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	for i := range 2000 {
		if got := ask(ports[i%2]); got != []string{"down 0%\n", "up\n"}[i%2] {
			t.Fatalf("poll %d: %q", i, got)
		}
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	// One that is connected hears of both at once and of what changes, and counts as told
	// when it says so itself. What its own agent checks are answered is plain.
	watch, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[2]))
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	watch.SetDeadline(time.Now().Add(10 * time.Second))
	lines := bufio.NewReader(watch)
	hears := func(port int, state string) {
		t.Helper()
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("%d %s\n", port, state) {
			t.Fatalf("it hears %q %v, want %d %s", line, err, port, state)
		}
	}
	knows := func(want string) {
		t.Helper()
		until(t, "one is known to be "+want, func() bool {
			text, _ := os.ReadFile(filepath.Join(told, "one"))
			return string(text) == "127.0.0.1 "+want+"\n"
		})
	}
	hears(ports[0], "down")
	hears(ports[1], "up")
	knows("-")
	if got := ask(ports[0]); got != "down\n" {
		t.Errorf("while it is connected: %q", got)
	}
	knows("-")
	fmt.Fprintf(watch, "%d up\nnonsense\n%d down\n", ports[0], ports[0])
	knows("down")
	set("one", "up")
	hears(ports[0], "up")
	knows("-")
	fmt.Fprintf(watch, "%d down\n", ports[0]) // what it was told before
	set("one", "down")
	hears(ports[0], "down")
	knows("-")
	fmt.Fprintf(watch, "%d down\n", ports[0])
	knows("down")
	// What it was answered before counts no more once it was told something else, nor does
	// it count that nobody asks right now.
	ask(ports[0])
	set("one", "up")
	hears(ports[0], "up")
	fmt.Fprintf(watch, "%d up\n", ports[0])
	knows("up")
	for _, want := range []string{"up 100%\n", "up\n"} { // it was given 0% before anybody was connected
		if got := ask(ports[0]); got != want {
			t.Errorf("while it is connected: %q, want %q", got, want)
		}
	}
	watch.Close()
	knows("asked up")
	set("one", "down")
	time.Sleep(1200 * time.Millisecond)
	knows("asked -")
	ask(ports[0])
	knows("asked down")
	until(t, "it is gone", func() bool { return ask(ports[0]) == "down 0%\n" })
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	t.Logf("2,000 polls: user %s, system %s ticks", fields[11], fields[12])
}

func loopbackPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestNeverShared: what a buildout takes apart is a release's own, whatever
// the stack says.
func TestNeverShared(t *testing.T) {
	conf := content(t, processHost(), "/etc/plonec/site/build.conf")
	for _, line := range []string{
		"BUILD_LINKS=('downloads' 'eggs' 'extends' 'var')",
		"BUILD_PURGE=('var' 'eggs' 'downloads' 'extends')",
		"BUILD_NEEDS=('parts/zeoserver/bin/runzeo' 'bin/client1' 'bin/client2' 'bin/celery')",
		"STORAGE='file storage /data/filestorage, ZEO 127.0.0.1:8001, blobs /data/blobs'",
	} {
		if !strings.Contains(conf, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, conf)
		}
	}
}

// TestStorage: what is the same database has the same words.
func TestStorage(t *testing.T) {
	a := processHost().Apps[0]
	a.Zeo = nil
	a.Host.Stack.PloneBlobs.BlobDir = ""
	for want, s := range map[string]topology.Storage{
		"":                      {},
		"ZEO db1:8001":          {ZeoAddress: "db1:8001"},
		"RelStorage by its DSN": {RelStorage: &topology.RelStorage{Type: "postgresql", DSN: schema.Secret{Plain: "host=db"}}},
		"RelStorage postgresql db1:5432/plone": {RelStorage: &topology.RelStorage{
			Type: "postgresql", Host: "db1", Port: 5432, Name: "plone", Password: schema.Secret{Plain: "sentinel"}}},
	} {
		a.Storage = s
		if got := a.Database(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHostSecrets(t *testing.T) {
	h := processHost()
	c := h.Apps[0].Config
	c.SCM.SSHKey = schema.Secret{Ref: "file:key", Source: "file:key"}
	c.SCM.Password = schema.Secret{Plain: "sentinel", Source: "stack:/deploy/site/scm/password"}
	c.BuildoutCacheArchives = []schema.CacheArchive{
		{URL: "https://example.com/a.tgz", Path: "shared/eggs"},
		{URL: "https://example.com/b.tgz", Path: "shared/downloads", User: "u", Password: schema.Secret{Ref: "env:B", Source: "env:B"}},
	}
	var got []string
	for _, f := range hostSecrets(h) {
		for _, e := range f.Entries {
			got = append(got, fmt.Sprintf("%s %o %s %s %s=%s", f.Path, f.Mode, f.Owner, f.Format, e.Key, e.Source))
		}
	}
	want := []string{
		"/etc/plonec/site/deploy_key 600 deploy:www-data raw =file:key",
		"/etc/plonec/site/scm.env 600 root:root env SCM_PASSWORD=stack:/deploy/site/scm/password",
		"/etc/plonec/site/archives.env 600 root:root env ARCHIVE_PASSWORD_2=env:B",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(content(t, h, "/etc/plonec/site/build.conf"), "ARCHIVE_PASSWORDS=('' 'ARCHIVE_PASSWORD_2')\n") {
		t.Error("build.conf does not name the variable of the second archive's password")
	}
}

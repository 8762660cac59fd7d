// Package remotetest stands for the hosts that a test reaches over ssh and rsync:
// the test binary is both programs, and the test answers what is asked of a host.
package remotetest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/render/escape"
)

// Lost is the status of ssh itself when its connection fails.
const Lost = 255

// socket is the variable that names where the test listens.
const socket = "HOSTS_OF_THE_TEST"

// Main is TestMain of a package whose tests need such hosts.
func Main(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "ssh", "rsync":
		if dir := os.Getenv("HOME"); strings.HasPrefix(filepath.Base(dir), "environment") {
			os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(os.Environ(), "\n")), 0o600)
		}
		if name == "ssh" {
			os.Exit(fakeSSH(os.Args[1:]))
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A Reply is what a host answers to one command.
type Reply struct {
	Out    string
	Err    string // to standard error
	Status int
	Stays  bool // until its input ends
}

func fakeSSH(args []string) int {
	if args[0] == "-G" {
		fmt.Println("proxyjump none")
		return 0
	}
	end := slices.Index(args, "--")
	host, command := args[end+1], args[end+2]
	if slices.Contains(args, "ControlMaster=yes") {
		for _, a := range args {
			if socket, ok := strings.CutPrefix(a, "ControlPath="); ok {
				if _, err := net.Listen("unix", socket); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return Lost
				}
			}
		}
		// The login itself runs the first command.
		begin, command, _ := strings.Cut(strings.TrimPrefix(command, "echo \""), "\"; ")
		fmt.Println("Welcome to a host of the test.") // which a login's startup file may say
		fmt.Println(begin)
		fmt.Fprintln(os.Stderr, begin)
		_, command, _ = strings.Cut(command, ">&2; ")
		if first, end, ok := strings.Cut(command, "); echo \""); ok {
			end, _, _ = strings.Cut(end, "$?")
			known := end[:strings.LastIndex(strings.TrimSpace(end), " ")+1] // what anybody may know of it
			fmt.Println(known + "0\n" + known + "x 0")                      // which a login's startup file may say
			fmt.Println(end + strconv.Itoa(fakeCommand(host, strings.TrimPrefix(first, "("))))
		}
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
	return fakeCommand(host, command)
}

func fakeCommand(host, command string) int {
	conn, err := net.Dial("unix", os.Getenv(socket))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return Lost
	}
	defer conn.Close()
	json.NewEncoder(conn).Encode([]string{host, command})
	var r Reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return Lost
	}
	io.WriteString(os.Stdout, r.Out)
	io.WriteString(os.Stderr, r.Err)
	if r.Stays {
		for in := bufio.NewScanner(os.Stdin); in.Scan() && in.Text() != "done"; {
		}
	}
	return r.Status
}

var usage = regexp.MustCompile(`(?m)^# usage: (\w+)`)

// Answer has the hosts of the test answer what they are asked: the words of a
// command, of which the first is the name of a script that is sent along. It may be
// called from many goroutines at once.
func Answer(t *testing.T, answer func(host string, words []string) Reply) {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ssh", "rsync"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	l, err := net.Listen("unix", filepath.Join(dir, "hosts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv(socket, l.Addr().String())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var asked []string
				if err := json.NewDecoder(conn).Decode(&asked); err == nil {
					json.NewEncoder(conn).Encode(answer(asked[0], words(t, asked[1])))
				}
			}()
		}
	}()
}

// words takes a command line apart.
func words(t *testing.T, command string) []string {
	_, argv, _ := strings.Cut(command, "sudo -n)")
	words, err := escape.Words(argv)
	if err != nil {
		t.Error(err)
	}
	if len(words) > 3 && words[1] == "-c" {
		name := "a script"
		if m := usage.FindStringSubmatch(words[2]); m != nil {
			name = m[1]
		}
		words = append([]string{name}, words[4:]...)
	}
	return words
}

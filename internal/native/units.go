package native

import (
	"context"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

var environmentLine = regexp.MustCompile(`(?m)^Environment=(\w+)=(/\S+)$`)

// environment is what the drop-ins of a unit set; its files are those that the
// unit makes when it starts, and here they are the stage's.
func (s *stage) environment(unit string) ([]string, error) {
	var env []string
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		if !strings.HasPrefix(path, unitDir+unit+".d/") {
			continue
		}
		for _, m := range environmentLine.FindAllSubmatch(s.files[path], -1) {
			place, err := s.write(string(m[2]), []byte("1\n"), 0o644)
			if err != nil {
				return nil, err
			}
			env = append(env, string(m[1])+"="+place)
		}
	}
	slices.Sort(env)
	return env, nil
}

// baseUnits are those of systemd's own that ours refer to.
var baseUnits = []string{"basic.target", "sysinit.target", "shutdown.target", "multi-user.target", "network.target",
	"network-online.target", "local-fs.target", "paths.target", "slices.target", "sockets.target", "timers.target",
	"time-set.target", "umount.target", "tmp.mount", "systemd-tmpfiles-setup.service"}

// noProc is what systemd 249 remarks where there is no /proc.
var noProc = regexp.MustCompile(`(?m)^Failed to acquire watch file descriptor: .*\n?`)

var execLine = regexp.MustCompile(`(?m)^(Exec\w+=[-@:+!]*"?)(/[^" \n]+)`)

// systemd verifies the units among no more than they need; what they run is
// stood in for, in the stage (systemd-analyze before 250 knows no --root). It
// ends well on unknown settings, so any word counts as a refusal. Drop-ins
// need the unit of their package, which may not be here: they are left out.
func systemd(ctx context.Context, s *stage) (string, error) {
	const system = "/usr/lib/systemd/system/"
	for _, name := range baseUnits {
		content, err := os.ReadFile(system + name)
		if err != nil {
			continue
		}
		if _, err := s.write(system+name, content, 0o644); err != nil {
			return "", err
		}
	}
	args := []string{"verify", "--man=no"}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		content := s.files[name]
		if strings.Contains(name, ".d/") {
			continue
		}
		for _, m := range execLine.FindAllSubmatch(content, -1) {
			if _, err := s.write(string(m[2]), []byte("#!/bin/sh\n"), 0o755); err != nil {
				return "", err
			}
		}
		place, err := s.write(name, execLine.ReplaceAll(content, []byte("${1}"+s.dir+"${2}")), 0o644)
		if err != nil {
			return "", err
		}
		args = append(args, place)
	}
	if len(args) == 2 {
		return "", nil
	}
	out, err := command(ctx, []string{"SYSTEMD_UNIT_PATH=" + s.dir + system}, "systemd-analyze", args...)
	out = noProc.ReplaceAllString(out, "")
	if err == nil && strings.TrimSpace(out) != "" {
		err = errors.New("warnings")
	}
	if err != nil {
		return out, err
	}
	return s.calendars(ctx)
}

var calendarLine = regexp.MustCompile(`(?m)^OnCalendar=(.+)$`)

// calendars asks for the next time of each calendar of the timers: one of a day that no
// month has is a good line, and its timer never starts anything.
func (s *stage) calendars(ctx context.Context) (string, error) {
	next := func(calendars ...string) (string, error) {
		out, err := command(ctx, nil, "systemd-analyze", append([]string{"calendar"}, calendars...)...)
		if err == nil && strings.Contains(out, "Next elapse: never") {
			err = errors.New("never")
		}
		return out, err
	}
	var all, of []string // the calendars, and the file of each
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		for _, m := range calendarLine.FindAllSubmatch(s.files[name], -1) {
			all, of = append(all, string(m[1])), append(of, name)
		}
	}
	if len(all) == 0 {
		return "", nil
	}
	if _, err := next(all...); err == nil {
		return "", nil
	}
	for i, calendar := range all {
		if out, err := next(calendar); err != nil {
			return of[i] + ":\n" + out, err
		}
	}
	return "", nil
}

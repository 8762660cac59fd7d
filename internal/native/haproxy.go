package native

import (
	"context"
	"regexp"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/service"
)

var _ = add(checker{
	program: service.Haproxy.Program, judges: under("/etc/haproxy/", service.Haproxy.DropIns()), run: haproxy,
	users: []apart.User{{Name: "haproxy", Group: "haproxy"}}, own: []string{"var/lib/haproxy"},
})

// haproxy checks with warnings as errors. Users come from a file that apply
// makes; an empty list stands in for it.
func haproxy(ctx context.Context, s *stage) (string, error) {
	cfg, err := s.write(service.Haproxy.Config, s.files[service.Haproxy.Config], 0o644)
	if err != nil {
		return "", err
	}
	users := s.files["/etc/haproxy/users.cfg"]
	if users == nil {
		users = []byte("userlist plonec\n    user nobody password $6$x$x\n")
	}
	usersCfg, err := s.write("/etc/haproxy/users.cfg", users, 0o644)
	if err != nil {
		return "", err
	}
	env, err := s.environment(service.Haproxy.Unit)
	if err != nil {
		return "", err
	}
	out, err := command(ctx, env, "haproxy", "-c", "-dW", "-f", cfg, "-f", usersCfg)
	if err != nil && unresolved.MatchString(out) {
		// A name that only the hosts can resolve; without -dW it is a warning.
		out, err = command(ctx, env, "haproxy", "-c", "-f", cfg, "-f", usersCfg)
	}
	return out, err
}

var unresolved = regexp.MustCompile(`could not resolve address`)

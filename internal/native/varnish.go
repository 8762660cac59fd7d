package native

import (
	"context"
	"path/filepath"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/service"
)

var _ = add(checker{
	program: service.Varnish.Program, judges: under("/etc/varnish/"), run: varnish,
	users: []apart.User{{Name: "vcache", Group: "varnish"}, {Name: "varnish", Group: "varnish"}, {Name: "varnishlog", Group: "varnish"}}, own: []string{"var/lib/varnish"},
})

// varnish compiles the VCL.
func varnish(ctx context.Context, s *stage) (string, error) {
	vcl, err := s.write(service.Varnish.Config, s.files[service.Varnish.Config], 0o644)
	if err != nil {
		return "", err
	}
	args := []string{"-C", "-f", vcl, "-n", filepath.Join(s.dir, "work")}
	// The C that it makes is compiled and loaded too, and then thrown away: that need not be
	// fast code. Before 7.0 its own command of the compiler cannot be added to.
	if knows(ctx, "%D:", "varnishd", "-x", "parameter") {
		args = append(args, "-p", "cc_command=%D -O0 -g0")
	}
	out, err := command(ctx, nil, "varnishd", args...)
	if err == nil {
		return "", nil // it prints the C that it made
	}
	return out, err
}

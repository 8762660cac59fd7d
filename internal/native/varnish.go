package native

import (
	"context"
	"path/filepath"

	"github.com/plonec/plonec/internal/service"
)

var _ = add(checker{
	program: service.Varnish.Program, judges: under("/etc/varnish/"), run: varnish,
	users: []user{{"vcache", "varnish"}, {"varnish", "varnish"}, {"varnishlog", "varnish"}}, own: []string{"var/lib/varnish"},
})

// varnish compiles the VCL.
func varnish(ctx context.Context, s *stage) (string, error) {
	vcl, err := s.write(service.Varnish.Config, s.files[service.Varnish.Config], 0o644)
	if err != nil {
		return "", err
	}
	out, err := command(ctx, nil, "varnishd", "-C", "-f", vcl, "-n", filepath.Join(s.dir, "work"))
	if err == nil {
		return "", nil // it prints the C that it made
	}
	return out, err
}

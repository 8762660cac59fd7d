package render

import "github.com/plonec/plonec/internal/service"

var _ = renders(nil, Artifact{Template: "memcached.conf.tmpl", Each: of(service.Memcached, service.Memcached.Config)})

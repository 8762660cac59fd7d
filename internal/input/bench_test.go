package input

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// bigStack writes a stack with that many hosts, about 280 bytes each.
func bigStack(hosts int) []byte {
	var b bytes.Buffer
	b.WriteString("{\n  \"plone_instances\": {\"app_name\": \"site\", \"per_cpu\": 2, \"base_config\": \"buildout.cfg\"},\n  \"instances\": {\n")
	for i := range hosts {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `    "app%d": {
      "layers": ["plone_instances", "zone-%d"],
      "address": "10.%d.%d.%d",
      "ssh_address": "app%d.example.org",
      "cpus": %d,
      "instance_type": "c5.xlarge",
      "backends": 8.5,
      "status": "online",
      "os": "debian12",
      "note": "rack \"%d\""
    }`, i, i%7, i>>16, i>>8&255, i&255, i, i%8+1, i)
	}
	b.WriteString("\n  }\n}\n")
	return b.Bytes()
}

// BenchmarkReadJSON reads a stack of 5,000 hosts; encoding/json into an any,
// which keeps no places, is the floor.
func BenchmarkReadJSON(b *testing.B) {
	data := bigStack(5000)
	b.Run("plonec", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, list := ReadJSON(&diag.File{Content: data}); len(list) > 0 {
				b.Fatal(list)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

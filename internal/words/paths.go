package words

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// most is how many files of a folder are named in one line.
const most = 12

// Braces names files of one folder in one word, as a shell would read it.
func Braces(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	dir := path.Dir(paths[0])
	if len(paths) > most {
		return fmt.Sprintf("%s/ (%d files)", dir, len(paths))
	}
	// Names that differ in a number alone are one: plone-site-client{5,6}.service
	var names []string
	numbers := map[string][]string{} // by the name around them
	for _, p := range paths {
		name := path.Base(p)
		if m := numbered.FindStringSubmatch(name); m != nil {
			name = m[1] + "{}" + m[3]
			numbers[name] = append(numbers[name], m[2])
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i, name := range names {
		switch list := numbers[name]; len(list) {
		case 0:
		case 1:
			names[i] = strings.Replace(name, "{}", list[0], 1)
		default:
			names[i] = strings.Replace(name, "{}", "{"+strings.Join(list, ",")+"}", 1)
		}
	}
	if len(names) == 1 {
		return dir + "/" + names[0]
	}
	return dir + "/{" + strings.Join(names, ",") + "}"
}

// numbered takes the last number of a name apart.
var numbered = regexp.MustCompile(`^(.*?)(\d+)(\D*)$`)

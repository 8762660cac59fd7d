package diag

import "strconv"

// JoinKey returns the path of a key below a path: a.b, and a."x.y" for a key
// that is no plain word.
func JoinKey(path, key string) string {
	if !plainKey(key) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// JoinIndex returns the path of an entry of a list below a path: a[0].
func JoinIndex(path string, index int) string {
	return path + "[" + strconv.Itoa(index) + "]"
}

func plainKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '_', c == '-', c == '$', c == ':', c >= 0x80:
		default:
			return false
		}
	}
	return key != ""
}

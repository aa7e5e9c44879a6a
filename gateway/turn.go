package gateway

// ValidRotation tells whether a page may be turned by so many degrees.
func ValidRotation(degrees int) bool {
	return degrees >= 0 && degrees < 360 && degrees%90 == 0
}

// rotationOf is a rotation that was read from the vault: a wrong one must not
// keep the page out of the records.
func rotationOf(degrees int) int {
	if ValidRotation(degrees) {
		return degrees
	}
	return 0
}

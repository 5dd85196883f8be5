package picture

import (
	"bytes"
	"encoding/binary"
)

// upright is the orientation of a picture that says nothing about it.
const upright = 1

type jpegInfo struct {
	orientation int // EXIF tag 0x0112, 1 to 8
	progressive bool
}

// JPEG markers.
const (
	markerSOF2 = 0xc2 // progressive frame
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerAPP1 = 0xe1 // EXIF
)

// readJPEGInfo walks the segments before the first scan. What it cannot read
// it takes as upright and baseline: the decoder judges the file.
func readJPEGInfo(data []byte) jpegInfo {
	info := jpegInfo{orientation: upright}
	for rest := data[min(2, len(data)):]; len(rest) >= 4; {
		if rest[0] != 0xff {
			rest = rest[1:] // the decoder skips stray bytes too
			continue
		}
		marker := rest[1]
		switch {
		case marker == 0xff || marker == 0x00:
			rest = rest[1:]
			continue
		case marker >= 0xd0 && marker <= 0xd8 || marker == 0x01: // without a body
			rest = rest[2:]
			continue
		case marker == markerSOS || marker == markerEOI:
			return info
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < 2 || len(rest) < 2+length {
			return info
		}
		body := rest[4 : 2+length]
		switch marker {
		case markerSOF2:
			info.progressive = true
		case markerAPP1:
			if tiff, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok {
				info.orientation = exifOrientation(tiff)
			}
		}
		rest = rest[2+length:]
	}
	return info
}

const (
	tagOrientation = 0x0112
	typeShort      = 3
	ifdEntryBytes  = 12
)

// exifOrientation looks the tag up in the first directory of a TIFF header.
func exifOrientation(tiff []byte) int {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return upright
	}
	if len(tiff) < 8 {
		return upright
	}
	offset := int64(order.Uint32(tiff[4:]))
	if offset+2 > int64(len(tiff)) {
		return upright
	}
	entries := tiff[offset+2:]
	for range order.Uint16(tiff[offset:]) {
		if len(entries) < ifdEntryBytes {
			break
		}
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			break
		}
		entries = entries[ifdEntryBytes:]
	}
	return upright
}

"""PDF files made by hand: lines of text on pages, a picture only, or locked."""


def pdf(pages: list[list[str]], info: dict[str, str] | None = None, locked: bool = False) -> bytes:
    """A PDF with these lines on its pages, in Helvetica at 10 points."""
    first = 5
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(pages)))
    about = " ".join(f"/{name} ({value})" for name, value in (info or {}).items())
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        f"<< {about} >>",
    ]
    for number, lines in enumerate(pages):
        drawn = " ".join(f"({line}) Tj 0 -12 Td" for line in lines)
        stream = f"BT /F1 10 Tf 50 780 Td {drawn} ET" if lines else "0 0 100 100 re f"
        content = first + 2 * number + 1
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        box = "/MediaBox [0 0 595 842]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {box} {resources} /Contents {content} 0 R >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    if locked:
        key = f"/O <{'ab' * 32}> /U <{'cd' * 32}>"
        objects.append(f"<< /Filter /Standard /V 1 /R 2 /P -4 {key} >>")
    return _file(objects, locked)


def _file(objects: list[str], locked: bool) -> bytes:
    data = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    encrypt = f"/Encrypt {len(objects)} 0 R /ID [<00><00>]" if locked else ""
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R {encrypt} >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode() + end.encode()

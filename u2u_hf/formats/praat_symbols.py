"""Praat's backslash symbols: characters beyond ASCII as Praat writes them with ASCII alone, ``\\ng`` for ŋ.

The symbols are those of Praat's manual ("Special symbols", "Phonetic symbols: consonants", "…: vowels",
"…: diacritics") and those that the program of 2019 knows beyond it.
"""

from __future__ import annotations

import re

# The two characters after the backslash, and what they stand for.
_ACCENTED = """
a`à a'á a^â a~ã a"ä aoå a;ą c'ć c<č c,ç d<ď d-đ e`è e'é e^ê e"ë e<ě e;ę g<ǧ i`ì i'í i^î i"ï l/ł n'ń n~ñ n<ň o`ò o'ó o^ô
o~õ o"ö o:ő o/ø r<ř s'ś s<š t<ť u`ù u'ú u^û u"ü u:ű uoů y'ý y"ÿ z'ź z<ž z!ż ssß aeæ thþ
A`À A'Á A^Â A~Ã A"Ä AoÅ A;Ą C'Ć C<Č C,Ç D<Ď D-Đ E`È E'É E^Ê E"Ë E<Ě E;Ę G<Ǧ I`Ì I'Í I^Î I"Ï L/Ł N'Ń N~Ñ N<Ň O`Ò O'Ó O^Ô
O~Õ O"Ö O:Ő O/Ø R<Ř S'Ś S<Š T<Ť U`Ù U'Ú U^Û U"Ü U:Ű UoŮ Y'Ý Y"Ÿ Z'Ź Z<Ž Z!Ż AeÆ ThÞ
"""
_GREEK = """
alα beβ gaγ deδ epε zeζ etη teθ t2ϑ ioι kaκ laλ muμ nuν xiξ onο piπ roρ siσ s2ς taτ upυ fiφ f2ϕ ciχ psψ omω o2ϖ
AlΑ BeΒ GaΓ DeΔ EpΕ ZeΖ EtΗ TeΘ IoΙ KaΚ LaΛ MuΜ NuΝ XiΞ OnΟ PiΠ RoΡ SiΣ TaΤ UpΥ FiΦ CiΧ PsΨ OmΩ
"""
_HEBREW = """
?+\u05d0 B+\u05d1 G+\u05d2 D+\u05d3 H+\u05d4 V+\u05d5 Z+\u05d6 X+\u05d7 Y+\u05d8 J+\u05d9 K%\u05da K+\u05db L+\u05dc
M%\u05dd M+\u05de N%\u05df N+\u05e0 S+\u05e1 9+\u05e2
P%\u05e3 P+\u05e4 C%\u05e5 C+\u05e6 Q+\u05e7 R+\u05e8 W+\u05e9 T+\u05ea
hI\u05b4 sE\u05b6 cE\u05b5 qA\u05b8 pA\u05b7 hO\u05b9 vO\ufb4b qU\u05bb dq\u05bc sU\ufb35
"""
_SIGNS = """
!d¡ ?d¿ -h\u00ad --– +-± 'a' "l“ "r” <<« >>» .c· dg° c/¢ Lp£ cu¤ eu€ Y=¥ SS§ ||¶ co© re® a_ª o_º FIﬁ FLﬂ tm™ TM™ no¬ xx×
:-÷ fdƒ bu• 'p′ "p″ At∀ dd∂ Er∃ O|∅ e=∈ su∑ -m− /d∕ Vr√ oc∝ oo∞ an∧ or∨ ni∩ uu∪ in∫ .3∴ =~≅ ~~≈ un_ =/≠ =3≡ <_≤ >_≥ c=⊂
o+⊕ ox⊗ Tt⊥ ..⋯ cl♣ di♦ he♥ sp♠ <-← ^|↑ ->→ _|↓ <>↔ <=⇐ ^#⇑ =>⇒ _#⇓ eq⇔ pf☞ f5❀ [f[ ]f] |f|
"""
_PHONETIC = """
dhð h-ħ oeœ atɐ asɑ ayɒ abɒ b^ɓ bcʙ ctɔ ccɕ d.ɖ d^ɗ e-ɘ swə srɚ efɛ erɜ kbɞ j-ɟ g^ɠ gsɡ gcɢ gfɣ rhɤ G^ʛ htɥ h^ɦ hjɧ hcʜ
i-ɨ icɪ jcʝ l~ɫ l-ɬ l.ɭ lzɮ lcʟ mtɯ mlɰ mjɱ ngŋ njɲ n.ɳ ncɴ o-ɵ Oeɶ |1ǀ |2ǁ |-ǂ ffɸ rtɹ rlɺ r.ɻ f.ɽ fhɾ rcʀ riʁ s.ʂ shʃ
j^ʄ t.ʈ u-ʉ hsʊ vsʋ vtʌ wtʍ ytʎ ycʏ z.ʐ zcʑ zhʒ ?gʔ 9eʕ O.ʘ ?-ʡ 9-ʢ :fː .fˑ hr˞ bfβ tfθ cfχ
'1ˈ '2ˌ idɿ irʅ _u‿ tsʦ tSʧ apʼ ^hʰ ^Hʱ ^jʲ ^wʷ
^Yᶣ ^yʸ ^?ˀ ^9ˁ ^lˡ ^sˢ ^gˠ ^Mᵚ ^Gᶭ ^xˣ ^fᶠ ^nⁿ ^mᵐ ^Nᵑ
"""
_COMBINING = """
`^\u0300 '^\u0301 ^^\u0302 ~^\u0303 -^\u0304 :^\u0308 0^\u030a v^\u030c N^\u0306 cn\u031a cv\u031c T^\u031d Tv\u031e
T(\u0318 T)\u0319 +v\u031f :v\u0324 0v\u0325 |v\u0329 Nv\u032a Uv\u033a Dv\u033b nv\u032f ~v\u0330 -v\u0320 ~<\u0334
3v\u0339 li\u0361
"""
# A space after a character of ASCII: the character itself, so that a text may have one that means something to Praat.
_PLAIN = {f"{c} ": c for c in map(chr, range(33, 127)) if c != "\\"} | {"` ": "‘", "' ": "’"}
_SYMBOLS = (
    _PLAIN
    | {
        token[:2]: token[2:]
        for block in (_ACCENTED, _GREEK, _HEBREW, _SIGNS, _PHONETIC, _COMBINING)
        for token in block.split()
    }
    | {"bs": "\\"}
)
_BACKSLASH = re.compile(r"\\([ -~]{2})")


def decoded(text: str) -> str:
    """Return `text` with the characters that Praat's backslash symbols stand for, as Praat shows it.

    What is no symbol stays as it is.

    >>> decoded(r"sa\\ngi tu\\gf\\:f k\\sw")
    'saŋi tuɣː kə'
    """
    return _BACKSLASH.sub(lambda found: _SYMBOLS.get(found[1], found[0]), text) if "\\" in text else text


def encoded(text: str) -> str:
    """Return `text` so that `decoded` gives it back: its own backslashes as ``\\bs``."""
    return text.replace("\\", "\\bs")

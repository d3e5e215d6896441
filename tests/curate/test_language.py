"""Languages: how often the published model is right, on sentences written for this test; classifiers of one's own."""

import json

import pytest

from contract.records import Document, Sample
from contract.stages import BY_NAME
from curate.filter import identified
from curate.language import identifier
from curate_texts import document, read, sample, write_classifier, write_dataset
from stagekit.dataset import BATCH_ROWS
from stagekit.request import build_request
from stagekit.run import run_stage as run_stage_here

FLOOR, OF_ALL = 0.8, 0.97
SENTENCES = {
    "en": ["The bakery around the corner opens at six.", "She forgot her umbrella on the train again.",
           "Could you tell me how this machine works?", "We planted three apple trees last autumn.",
           "Nobody knew why the lights went out that night."],
    "de": ["Die Bäckerei an der Ecke öffnet um sechs.", "Sie hat ihren Schirm wieder im Zug vergessen.",
           "Können Sie mir sagen, wie diese Maschine funktioniert?",
           "Im letzten Herbst haben wir drei Apfelbäume gepflanzt.",
           "Niemand wusste, warum in jener Nacht das Licht ausging."],
    "fr": ["La boulangerie du coin ouvre à six heures.", "Elle a encore oublié son parapluie dans le train.",
           "Pouvez-vous me dire comment marche cette machine ?", "L'automne dernier, nous avons planté trois pommiers.",
           "Personne ne savait pourquoi la lumière s'était éteinte."],
    "es": ["La panadería de la esquina abre a las seis.", "Ella olvidó otra vez su paraguas en el tren.",
           "¿Puede decirme cómo funciona esta máquina?", "El otoño pasado plantamos tres manzanos en el jardín.",
           "Nadie sabía por qué se apagaron las luces aquella noche."],
    "it": ["Il panificio all'angolo apre alle sei.", "Ha dimenticato di nuovo l'ombrello sul treno.",
           "Può dirmi come funziona questa macchina?", "Lo scorso autunno abbiamo piantato tre meli.",
           "Nessuno sapeva perché quella notte si fossero spente le luci."],
    "pt": ["A padaria da esquina abre às seis horas.", "Ela esqueceu outra vez o guarda-chuva no comboio.",
           "Pode dizer-me como funciona esta máquina?", "No outono passado plantámos três macieiras.",
           "Ninguém sabia por que as luzes se apagaram naquela noite."],
    "nl": ["De bakkerij op de hoek gaat om zes uur open.", "Ze heeft haar paraplu weer in de trein laten liggen.",
           "Kunt u mij vertellen hoe deze machine werkt?", "Vorige herfst hebben we drie appelbomen geplant.",
           "Niemand wist waarom het licht die nacht uitging."],
    "sv": ["Bageriet på hörnet öppnar klockan sex.", "Hon glömde sitt paraply på tåget igen.",
           "Kan du berätta hur den här maskinen fungerar?", "Förra hösten planterade vi tre äppelträd.",
           "Ingen visste varför ljuset slocknade den natten."],
    "da": ["Bageriet på hjørnet åbner klokken seks.", "Hun glemte sin paraply i toget igen i går.",
           "Kan du fortælle mig, hvordan denne maskine virker?", "Sidste efterår plantede vi tre æbletræer i haven.",
           "Ingen vidste, hvorfor lyset gik ud den nat."],
    "fi": ["Kulman leipomo avataan kello kuusi.", "Hän unohti taas sateenvarjonsa junaan.",
           "Voisitteko kertoa, miten tämä kone toimii?", "Viime syksynä istutimme kolme omenapuuta.",
           "Kukaan ei tiennyt, miksi valot sammuivat sinä yönä."],
    "pl": ["Piekarnia na rogu otwiera się o szóstej.", "Znowu zapomniała parasola w pociągu.",
           "Czy może mi pan powiedzieć, jak działa ta maszyna?", "Zeszłej jesieni posadziliśmy trzy jabłonie.",
           "Nikt nie wiedział, dlaczego tej nocy zgasły światła."],
    "cs": ["Pekárna na rohu otevírá v šest hodin.", "Zase si zapomněla deštník ve vlaku.",
           "Můžete mi říct, jak tento stroj funguje?", "Loni na podzim jsme zasadili tři jabloně.",
           "Nikdo nevěděl, proč té noci zhasla světla."],
    "hu": ["A sarki pékség hat órakor nyit.", "Megint a vonaton felejtette az esernyőjét.",
           "Meg tudná mondani, hogyan működik ez a gép?", "Tavaly ősszel három almafát ültettünk.",
           "Senki sem tudta, miért aludtak ki a fények azon az éjszakán."],
    "ro": ["Brutăria din colț se deschide la ora șase.", "Și-a uitat din nou umbrela în tren.",
           "Îmi puteți spune cum funcționează această mașină?", "Toamna trecută am plantat trei meri.",
           "Nimeni nu știa de ce s-au stins luminile în noaptea aceea."],
    "tr": ["Köşedeki fırın saat altıda açılıyor.", "Şemsiyesini yine trende unuttu.",
           "Bu makinenin nasıl çalıştığını söyler misiniz?", "Geçen sonbaharda üç elma ağacı diktik.",
           "O gece ışıkların neden söndüğünü kimse bilmiyordu."],
    "vi": ["Tiệm bánh ở góc phố mở cửa lúc sáu giờ.", "Cô ấy lại để quên ô trên tàu.",
           "Bạn có thể cho tôi biết máy này hoạt động thế nào không?",
           "Mùa thu năm ngoái chúng tôi đã trồng ba cây táo.",
           "Không ai biết vì sao đêm đó đèn lại tắt."],
    "ru": ["Пекарня на углу открывается в шесть часов.", "Она снова забыла свой зонт в поезде.",
           "Вы можете сказать, как работает эта машина?", "Прошлой осенью мы посадили три яблони.",
           "Никто не знал, почему в ту ночь погас свет."],
    "uk": ["Пекарня на розі відчиняється о шостій годині.", "Вона знову забула свою парасольку в потязі.",
           "Чи можете ви сказати, як працює ця машина?", "Минулої осені ми посадили три яблуні.",
           "Ніхто не знав, чому тієї ночі згасло світло."],
    "el": ["Ο φούρνος στη γωνία ανοίγει στις έξι.", "Ξέχασε πάλι την ομπρέλα της στο τρένο.",
           "Μπορείτε να μου πείτε πώς λειτουργεί αυτό το μηχάνημα;", "Το περασμένο φθινόπωρο φυτέψαμε τρεις μηλιές.",
           "Κανείς δεν ήξερε γιατί έσβησαν τα φώτα εκείνη τη νύχτα."],
    "ar": ["يفتح المخبز في الزاوية في الساعة السادسة.", "نسيت مظلتها في القطار مرة أخرى.",
           "هل يمكنك أن تخبرني كيف تعمل هذه الآلة؟", "زرعنا ثلاث أشجار تفاح في الخريف الماضي.",
           "لم يعرف أحد لماذا انطفأت الأضواء في تلك الليلة."],
    "he": ["המאפייה בפינה נפתחת בשעה שש.", "היא שוב שכחה את המטרייה שלה ברכבת.",
           "האם תוכל לומר לי איך המכונה הזאת עובדת?", "בסתיו שעבר שתלנו שלושה עצי תפוח.",
           "איש לא ידע מדוע כבו האורות באותו לילה."],
    "hi": ["कोने की बेकरी सुबह छह बजे खुलती है।", "वह फिर अपना छाता ट्रेन में भूल गई।",
           "क्या आप बता सकते हैं कि यह मशीन कैसे काम करती है?", "पिछले साल हमने सेब के तीन पेड़ लगाए।",
           "किसी को नहीं पता था कि उस रात बत्तियाँ क्यों बुझ गईं।"],
    "zh": ["街角的面包店六点开门。", "她又把雨伞忘在火车上了。", "您能告诉我这台机器是怎么工作的吗？",
           "去年秋天我们种了三棵苹果树。", "没有人知道那天晚上灯为什么灭了。"],
    "ja": ["角のパン屋は六時に開きます。", "彼女はまた電車に傘を忘れました。",
           "この機械がどう動くのか教えていただけますか。",
           "去年の秋、私たちはりんごの木を三本植えました。", "その夜なぜ明かりが消えたのか、誰も知りませんでした。"],
    "ko": ["모퉁이 빵집은 여섯 시에 문을 엽니다.", "그녀는 또 기차에 우산을 두고 내렸다.",
           "이 기계가 어떻게 작동하는지 말씀해 주시겠습니까?", "지난 가을에 우리는 사과나무 세 그루를 심었다.",
           "그날 밤 왜 불이 꺼졌는지 아무도 몰랐다."],
    "th": [
           "ร้านขนมปังตรงหัวมุมเปิดตอนหกโมงเช้า",
           "เธอลืมร่มไว้บนรถไฟอีกแล้ว",
           "คุณช่วยบอกได้ไหมว่าเครื่องนี้ทำงานอย่างไร",
           "ฤดูใบไม้ร่วงที่แล้วเราปลูกต้นแอปเปิลสามต้น",
           "ไม่มีใครรู้ว่าทำไมไฟดับในคืนนั้น"],
}  # fmt: skip


@pytest.fixture(scope="module")
def identify():
    return identifier()


def test_languages_are_told_apart(identify):
    right: dict[str, float] = {}
    for language, sentences in SENTENCES.items():
        found = identify(sentences)
        right[language] = sum(label == language for label in found.labels) / len(sentences)
        print(f"{language} {right[language]:5.0%}  mean confidence {found.scores.mean():.2f}")
    print(f"{len(right)} languages {sum(right.values()) / len(right):.1%}")
    assert min(right.values()) >= FLOOR, right
    assert sum(right.values()) / len(right) >= OF_ALL


def test_texts_of_several_lines_or_none(identify):
    found = identify(["", " \n ", "Hello there,\nhow are\r\nyou\0 doing?", "x" * 10_000])
    assert found.labels[:3] == ["", "", "en"]
    assert found.scores[:2].tolist() == [0, 0]


def test_white_space_of_any_kind_parts_words(identify):
    plain = [" ".join(sentences) for sentences in SENTENCES.values()]
    for space in "\n\r\0\t":
        found = identify([text.replace(" ", space) for text in plain])
        assert (found.labels, found.scores.tolist()) == (identify(plain).labels, identify(plain).scores.tolist())


def test_a_long_run_is_identified_in_processes_and_ends_the_same(tmp_path, monkeypatch):
    sentences = [sentence for some in SENTENCES.values() for sentence in some]
    rows = [document(n, sentences[n % len(sentences)]) for n in range(2 * BATCH_ROWS + 10)]
    uri = write_dataset(tmp_path / "in", rows, Document)
    ended = []
    for enough in (identified.ENOUGH, 0):
        monkeypatch.setattr(identified, "ENOUGH", enough)
        config = json.dumps({"language": {"allowed": ["de", "en"], "fill": True}})
        request = build_request(BY_NAME["filter"], config, [f"rows={uri}"], str(tmp_path / f"out{enough}"))
        ended.append(run_stage_here(request))
    assert ended[0].content_hash == ended[1].content_hash
    assert ended[0].metrics == ended[1].metrics


def test_languages_are_kept_counted_and_filled_in(run_stage, tmp_path):
    rows = [document(name, " ".join(SENTENCES[name])) for name in ("en", "de", "fr")]
    rows += [document("given", SENTENCES["de"][0], language="xx"), document("none", "12 34")]
    uri = write_dataset(tmp_path / "in", rows, Document)
    language = {"allowed": ["de", "en"], "fill": True}
    dataset = read(run_stage("curate", "filter", {"language": language}, [("rows", uri)]).result["uri"])
    assert [(row.id, row.language) for row in dataset.records(Document)] == [
        ("doc-en", "en"), ("doc-de", "de"), ("doc-given", "xx"),
    ]  # fmt: skip
    (french, nothing) = dataset.ledger()
    assert (french.rule, french.value, french.threshold, french.also) == ("language", "fr", "de, en", [])
    assert nothing.rule in ("language", "language_unsure")
    assert dataset.manifest.metrics["language_de"] == 2
    assert 0.9 < dataset.manifest.metrics["language_de_confidence"] <= 1
    samples = write_dataset(tmp_path / "samples", [sample(1, "Hello?", "Yes.")], Sample)
    ended = run_stage("curate", "filter", {"language": {"fill": True}}, [("rows", samples)])
    assert (ended.exit_code, "`language.fill`" in ended.stderr) == (10, True)


def test_a_classifier_of_ones_own(run_stage, tmp_path):
    write_classifier(tmp_path / "model.bin", {"good": "an orderly and helpful text", "bad": "buy cheap pills now"})
    rows = [document(1, "a helpful\norderly text"), document(2, "cheap pills now now")]
    uri = write_dataset(tmp_path / "in", rows, Document)
    classifier = {"model": str(tmp_path / "model.bin"), "label": "good", "minimum": 0.6}

    def run(**changed):
        return run_stage("curate", "filter", {"quality": {"classifier": classifier | changed}}, [("rows", uri)])

    (entry,) = read(run().result["uri"]).ledger()
    assert (entry.id, entry.rule, entry.threshold) == ("doc-2", "classifier", "0.6")
    assert float(entry.value) < 0.4
    unknown = run(label="fair")
    assert (unknown.exit_code, "one of" in unknown.stderr) == (10, True)
    (tmp_path / "other.bin").write_text("no model")
    assert run(model=str(tmp_path / "other.bin")).exit_code == 11
